// The definitions of Istio's kinds: files of the module of its API, nothing of it is compiled.
module rollouts/e2e/crds/istio

go 1.26.0

require istio.io/api v1.31.4
