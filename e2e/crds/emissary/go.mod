// The definitions of Emissary-ingress' kinds: files of its module, nothing of it is compiled.
module rollouts/e2e/crds/emissary

go 1.26.0

require github.com/emissary-ingress/emissary/v3 v3.9.1
