"""Operations without behaviour of their own, whose entities are only kept."""
