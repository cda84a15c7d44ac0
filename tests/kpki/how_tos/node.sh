# One node's own tree, and what a package brings.
mv cluster.yaml prod.yaml
cat > node.yaml <<'YAML'
apiVersion: kpki/v1
kind: ClusterProfile
clusterName: demo
encryptionAlgorithm: ECDSA-P256
nodes:
- name: cp1
  addresses: [10.0.0.11]
YAML
kpki init --profile node.yaml
cp -r "$REPOSITORY/deploy" .
