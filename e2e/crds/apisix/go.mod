// The definitions of APISIX's kinds: files of the module of its controller, nothing of it is compiled.
module rollouts/e2e/crds/apisix

go 1.26.0

require github.com/apache/apisix-ingress-controller v1.8.4
