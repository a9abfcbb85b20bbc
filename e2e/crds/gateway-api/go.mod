// The definitions of the Gateway API: files of its module, nothing of it is compiled.
module rollouts/e2e/crds/gateway-api

go 1.27.0

require sigs.k8s.io/gateway-api v1.7.0
