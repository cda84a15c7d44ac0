# A cluster in ./cluster, three control-plane nodes and a worker, made an hour ago or when the file `age` says, and with `caKeys` as the file `keys` says; its nodes have their files.
cat > cluster.yaml <<YAML
apiVersion: kpki/v1
kind: ClusterProfile
clusterName: prod
encryptionAlgorithm: ECDSA-P256
controlPlaneEndpoint: k8s-api.example.com:8443
apiServer:
  certSANs: [192.168.1.100]
caKeys: $(cat keys 2> /dev/null || echo none)
rotation: {waitBeforeSwitch: 1s, waitBeforeRetire: 1s}
nodes:
- {name: cp1, roles: [control-plane], addresses: [192.168.1.1]}
- {name: cp2, roles: [control-plane], addresses: [192.168.1.2]}
- {name: cp3, roles: [control-plane], addresses: [192.168.1.3]}
- {name: w1, roles: [worker], addresses: [192.168.1.11]}
YAML
age=$(cat age 2> /dev/null || echo -1h)
kpki init --profile cluster.yaml --dir ./cluster "--at=$age"
for node in cp1 cp2 cp3 w1; do
  kpki export "$node" --dir ./cluster --out - "--at=$age" | ssh "$node" kpki unpack - --no-hooks "--at=$age"
done
