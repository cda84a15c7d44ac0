kpki init --profile "$REPOSITORY/profiles/single-node.yaml" --dir ./demo
mkdir clusters
cp "$REPOSITORY/profiles/single-node.yaml" clusters/demo.yaml
cp -r demo clusters/demo
