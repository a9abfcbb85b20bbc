"""Which metric providers come with us? One file each, found by their entry points: nobody imports them."""
