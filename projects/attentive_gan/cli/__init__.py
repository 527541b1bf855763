"""The command `attentive-gan`: one module per subcommand, imported after its arguments were read."""
