// The real conditions' language and the real JSONPath, which ours are compared with.
// expr is at the version that the existing controller of this API is released with, client-go at the control plane's.
module rollouts/e2e/oracle

go 1.25.0

require (
	github.com/expr-lang/expr v1.17.8
	k8s.io/client-go v0.35.4
)
