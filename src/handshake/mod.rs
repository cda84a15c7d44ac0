//! TLS handshakes in memory: whether a client and a server that hold these files would accept each other.
