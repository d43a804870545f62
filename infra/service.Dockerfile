# One image for every service and for `hub`. It keeps the layout of the workspace, because Node runs our TypeScript as it is and strips
# types from workspace packages behind their links only, not from copies inside node_modules.
#
#   docker build -f infra/service.Dockerfile -t yrd-hub:local .
FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY . .
RUN npm install --global pnpm@10.34.0 \
 && pnpm install --frozen-lockfile --prod --filter '@hub/region...' --filter '@hub/cli...' \
 && npm uninstall --global pnpm \
 && rm -rf /root/.local/share/pnpm /root/.npm \
 && install -d -o node -g node /var/lib/hub
USER node
VOLUME /var/lib/hub
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.HUB_HTTP_PORT + '/livez').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# One process with all services of a region; a single service is `node services/<name>/index.ts`.
# Young objects are kept as small as in the local run (infra/local/region-process.ts).
CMD ["node", "--max-semi-space-size=16", "services/region/index.ts"]
