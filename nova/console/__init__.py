"""nova-novncproxy: carries consoles of guests to browsers.

A browser opens a websocket with a token; the proxy asks nova-consoleauth what it stands for, and then only
moves bytes between the browser and the guest's console port.  It touches neither SQL nor hypervisors.
"""
