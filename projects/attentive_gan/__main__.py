"""`python -m attentive_gan`: the command `attentive-gan`, for launchers that start a module."""

from attentive_gan.cli.main import main

if __name__ == '__main__':
    main()
