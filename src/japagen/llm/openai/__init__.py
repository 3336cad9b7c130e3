"""OpenAI's chat API: what `openai_api` and `openai_batch` are made of.

wire       a request as a JSON body            endpoint   where a server is, and its key kept out of sight
responses  a response as a value               refusals   what a user is told when a server refuses
traffic    workers, retries, outcomes          sender     one call over HTTP
gate       what each call waits for            limits     number in flight, outages      pace   calls per second
waiting    how long a server asks us to wait   bridge     an event loop behind synchronous code
"""
