"""The RPC face of the conductor: a class a contract part, thin, each method one service."""
