// The definitions of Traefik's kinds: files of its module, nothing of it is compiled.
module rollouts/e2e/crds/traefik

go 1.26.0

require github.com/traefik/traefik/v3 v3.7.13
