"""Filters: each narrows the hosts for a request and says in a sentence why hosts fell out.

One file each, found by class name (``nova.scheduler.registry``); nova-scheduler loads only those enabled.
"""
