# The nodes have nothing yet.
rm -r hosts
