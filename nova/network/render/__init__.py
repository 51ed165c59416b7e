"""The texts other programs read: dnsmasq's files and the body of our nftables table.

Pure: values in, text out.  What comes from users (host names, labels) never reaches a file unchecked.  Runs
in nova-network only.
"""
