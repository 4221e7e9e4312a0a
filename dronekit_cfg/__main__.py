"""`python -m dronekit_cfg` is the command line."""

from dronekit_cfg.cli.app import main

if __name__ == "__main__":
    main()
