# The studio in a container: a Hugging Face Docker Space, or any host that runs one.
FROM python:3.11-slim

# PyTorch's own index has wheels without CUDA, which nothing here could use.
COPY requirements.txt /tmp/requirements.txt
RUN grep -E '^(torch|torchvision)==' /tmp/requirements.txt > /tmp/torch.txt \
    && pip install --no-cache-dir --index-url https://download.pytorch.org/whl/cpu -r /tmp/torch.txt \
    && pip install --no-cache-dir -r /tmp/requirements.txt

# A first process that waits for those whose parent has ended, as a run's worker does once it has started the next run.
RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*

# Spaces run as user 1000. The program belongs to root and is only read; the home holds all that is written.
RUN useradd --create-home --uid 1000 user && install -d -o user -g user /home/user/runs /home/user/.cache
WORKDIR /app
COPY . .
USER user

ENV HOME=/home/user \
    XDG_CACHE_HOME=/home/user/.cache \
    HF_HOME=/home/user/.cache/huggingface \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

# Anyone may visit, and a run would take the processor from all others: the owner says otherwise with GENLIB_TRAINING=on.
ENV GENLIB_TRAINING=off \
    GENLIB_RUNS=/home/user/runs

# A Space is shown in a frame on another site, where browsers that block third-party cookies never send back Streamlit's
# XSRF cookie: an upload would end in 403. The cookie would guard nothing here. There is no login to misuse, and an upload
# must name a session that is alive, whose id only its own page knows. CORS protection stays on: the page, its WebSocket
# and its uploads come from one host, so nothing needs it off.
ENV STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION=false \
    STREAMLIT_SERVER_HEADLESS=true

EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8501/_stcore/health', timeout=5)"]
ENTRYPOINT ["tini", "--"]
CMD ["python", "-m", "streamlit", "run", "app.py", "--server.address=0.0.0.0", "--server.port=8501"]
