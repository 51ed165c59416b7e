"""RabbitMQ, spoken directly: a transport whose messages cost a fraction of the library driver's (ADR 60).

``brokers.py`` reads addresses; ``wire.py`` is the socket; ``frames.py`` writes and reads messages;
``link.py`` is one connection that comes back by itself, on py-amqp, which does all that is not a message;
``queues.py`` names queues and declares them; ``ears.py`` listens; ``transport.py`` puts it together.
"""
