"""The two state tables, pure: what may be asked when, and what reports and observations lead to.

``actions.py`` is the table of server actions; ``admission.py`` answers "may this start now?";
``power.py`` says what an observed power state means; ``status.py`` turns states into the API's status words.
The API's 409s, the workflows, the documentation and the tests all read these tables; everybody may import
them.  They import ``nova.objects`` and ``nova.errors`` alone.
"""
