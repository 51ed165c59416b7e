"""The command ``tools/cloud``: sets up a cloud on this machine, proves it, shows it, takes it away again."""
