//! What running components serve: the only room that opens a connection, and only when it is asked to.
