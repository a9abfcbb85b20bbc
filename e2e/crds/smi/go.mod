// The definitions of the Service Mesh Interface: files of its module, nothing of it is compiled.
module rollouts/e2e/crds/smi

go 1.26.0

require github.com/servicemeshinterface/smi-sdk-go v0.5.0
