# A corporate root with its key here, and a corporate CA with the authorities of another tree. `corporate/sign REQUESTS OUT` signs all requests.
mkdir -p corporate/tree
cat > corporate/profile.yaml <<'YAML'
apiVersion: kpki/v1
kind: ClusterProfile
clusterName: prod
encryptionAlgorithm: ECDSA-P256
controlPlaneEndpoint: k8s-api.example.com:8443
nodes:
- {name: cp1, roles: [control-plane], addresses: [192.168.1.1]}
- {name: cp2, roles: [control-plane], addresses: [192.168.1.2]}
YAML
kpki init --profile corporate/profile.yaml --dir corporate/tree
cp corporate/tree/pki/ca.crt corporate/tree/pki/front-proxy-ca.crt corporate/
cp corporate/tree/pki/etcd/ca.crt corporate/etcd-ca.crt
cp corporate/tree/pki/ca.crt root.crt
cp corporate/tree/pki/ca.key root.key
cat > corporate/sign <<'SIGN'
set -eu
mkdir -p "$2"
find "$1" -name '*.csr' | while read -r request; do
  name=${request#"$1"/}
  entry=$(echo "${name%.csr}" | sed 's#^nodes/##; s#/pki/etcd/#/etcd-#; s#/pki/#/#; s#/kubelet/kubelet$#/kubelet-serving#')
  kpki sign "$request" --as "$entry" --dir corporate/tree --out "$2/$(echo "$entry" | tr / -).crt"
done
SIGN
