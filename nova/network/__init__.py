"""nova-network: makes the operator's networks on one host, and keeps them made.

The truth (which networks, which addresses, held by whom) is the conductor's; here it becomes bridges, DHCP
service and packet rules.  From inside out:

* :mod:`nova.network.topology` turns one network into what its kind needs on a host, :mod:`nova.network.plan`
  puts these together; :mod:`nova.network.render` writes the texts for dnsmasq and nftables.  All pure.
* :mod:`nova.network.linux` makes the machine look like the plan, again and again without harm.
* :mod:`nova.network.agent` does jobs and heals; :mod:`nova.network.endpoint` is its face on the wire.

Runs in nova-network only; nobody else may import it.  Guests keep their network while it is stopped.
"""
