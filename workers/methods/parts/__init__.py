"""What methods are made of: each family's arithmetic and pictures, and what one method alone needs but is an idea of its own."""
