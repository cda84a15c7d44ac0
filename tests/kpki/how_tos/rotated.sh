# As kubeadm leaves it: kubelet.conf names the pair that the kubelet rotates, and that has expired.
for node in hosts/*; do
  touch "$node/var/lib/kubelet/pki/kubelet-client-current.pem"
  sed -i 's#client-\(certificate\|key\)-data: .*#client-\1: /var/lib/kubelet/pki/kubelet-client-current.pem#' "$node/etc/kubernetes/kubelet.conf"
done
