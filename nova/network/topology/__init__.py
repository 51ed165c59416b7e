"""The kinds of networks: what one network of a kind needs on a host, as values.  Pure.

One module a kind with a function ``make(network, held, options) -> Made``; ``nova.network.plan.MAKERS`` lists
them.  Runs in nova-network only.
"""
