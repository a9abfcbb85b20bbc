// Argo CD's own scripts for our kinds: files of its module, nothing of it is compiled.
module rollouts/e2e/clients/argo-cd

go 1.27.0

require github.com/argoproj/argo-cd/v3 v3.6.1
