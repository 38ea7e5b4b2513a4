"""The stream API's door: who may connect, attaching a client, and losing one."""
