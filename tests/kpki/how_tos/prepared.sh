kpki rotate prepare all --dir ./cluster
mkdir .kube
cp cluster/nodes/cp1/admin.conf .kube/config
