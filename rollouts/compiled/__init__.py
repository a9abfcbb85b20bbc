"""How do plugins that were compiled for Argo Rollouts take part? As the steps, routers and metric providers of a Kit.

`config` reads which there are, `kit` puts them beside ours; `router`, `step` and `provider` say as flows what is called
when. `host` makes the calls: it fetches the programs (`program`) and runs them (`process`), in `goplugin`'s language.
"""
