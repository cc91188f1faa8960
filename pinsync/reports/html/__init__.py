"""The parts that all HTML pages share: policy, templates, style and script."""
