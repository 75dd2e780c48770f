"""The shop on three database servers that all take writes.

``make test-cluster`` runs this folder; the ordinary suites leave it out. Three nodes of
MariaDB with Galera and an HAProxy before them start natively, with the files that
``deploy/galera`` ships and on data folders and ports of their own. The app servers have
the proxy as their only database, so that their connections spread over the nodes.

A scenario that breaks a node mends it, and waits until it is in step again.
"""
