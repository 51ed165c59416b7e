"""What every request passes through before the application: small WSGI callables, ordered in ``pipeline``."""
