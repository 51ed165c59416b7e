"""Makes the machine look like the plan: bridges, addresses, packet rules, dnsmasq.

Everything may be done twice and is done again by the heal loop; what is right already is left alone, so that
guests do not notice.  Acts on the network namespace the process runs in, and only on what is named after our
options.  Runs in nova-network only.
"""
