echo control-plane > keys
