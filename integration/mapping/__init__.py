"""From the store's records to plans for Mautic: pure, data in, plan out."""
