"""The inference service: several language models on one device behind the OpenAI protocol.

It knows the model file and nothing else of Preferendum: no database, no battles, no Django.
"""
