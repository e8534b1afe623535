# One shop on one machine: `docker compose up` (compose.yaml), or with a database of yours:
#   docker run -p 8787:8787 -e DATABASE_URL=… -e SIGNING_KEY=… -e WECHAT_KEY=… orderbell

FROM node:24-bookworm-slim AS build
WORKDIR /orderbell
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build:pages

# Only what runs: no tests, no tools, nothing of the demo.
FROM node:24-bookworm-slim AS packages
WORKDIR /orderbell
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts && rm -rf node_modules/@electric-sql

FROM node:24-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8787 ORDERBELL_HOME=/var/lib/orderbell
WORKDIR /orderbell
COPY --from=packages /orderbell/node_modules node_modules
COPY --from=build /orderbell/dist/web dist/web
COPY package.json serverless.yml collections.yml files.yml tsconfig.json LICENSE ./
COPY bin bin
COPY cli cli
COPY clients clients
COPY cloud cloud
COPY apigateway apigateway
COPY db db
COPY functions functions
COPY shared shared
RUN install -d -o node -g node -m 700 /var/lib/orderbell
USER node
EXPOSE 8787
# The database answers, or this container is not ready.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Node itself is the first process and hears SIGTERM: running requests end, sockets are told to come again.
CMD ["node", "bin/orderbell.mjs", "serve"]
