"""The driver for QEMU and KVM guests through libvirt.  Runs in nova-compute; nobody else imports it.

``driver.py`` wires the parts together: ``connection.py`` and ``events.py`` talk to the daemon, ``host.py``
and ``virt_type.py`` find out what the host can do, ``domain/`` writes the domain XML (pure), ``images/``
makes disks, ``vif/`` and ``firewall.py`` connect and guard interfaces, ``guest.py`` leads one domain.
Everything of one guest lies in ``<instances_path>/<instance uuid>/`` (``store.py``).
"""
