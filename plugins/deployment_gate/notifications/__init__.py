"""Telling people of a verdict: which message, and sending it within a time limit."""

from deployment_gate.notifications.message import Message, message_of
from deployment_gate.notifications.sending import Failure, send

__all__ = ["Failure", "Message", "message_of", "send"]
