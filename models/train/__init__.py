"""Training: objectives, loops, distillation, adversarial fine-tuning."""
