import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The page and the API have one origin, as on Vercel. The API compares the origin with the host of the request, so the
// proxy must leave it as it is.
const target = process.env.LLMOS_URL ?? "http://localhost:3000";
const proxy = { "/api": { target, changeOrigin: false } };

export default defineConfig({
  plugins: [react()],
  server: { proxy },
  preview: { proxy },
});
