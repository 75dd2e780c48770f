"""What every package stands on: errors, transactions, locks, money, text, logs.

Nothing here knows HTTP, Django REST framework or a package of the shop.
"""
