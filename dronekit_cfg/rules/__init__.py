"""Policy over settings: safe expressions, shipped rule packs, checks of single values, waivers."""
