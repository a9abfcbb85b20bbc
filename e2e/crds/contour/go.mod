// The definitions of Contour's kinds: files of its module, nothing of it is compiled.
module rollouts/e2e/crds/contour

go 1.26.0

require github.com/projectcontour/contour v1.33.8
