"""Daemons talking to each other: contracts, clients and servers made from them, transports.

Every daemon may import it; it knows none of them.  ``contracts/`` says what can be asked, ``contract.py``
how that is declared; ``client.py`` and ``server.py`` are derived from a declaration; ``payload.py`` turns
values into text and back; ``memory.py`` and ``chaos.py`` are oslo.messaging drivers of our own.
"""
